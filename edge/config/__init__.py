"""YAML configuration into frozen types. Unknown keys are refused with the nearest known one."""

from edge.config.checks import broker_fault, mqtt_fault
from edge.config.loading import absent_files, load_config
from edge.config.types import (
    AlertsConfig,
    Config,
    FusionConfig,
    KeywordConfig,
    LineConfig,
    LineModelsConfig,
    ListenConfig,
    ModelsConfig,
    MqttConfig,
    Name,
    Positive,
    SourceConfig,
    StatusPageConfig,
    trunk_of,
)

__all__ = [
    "AlertsConfig",
    "Config",
    "FusionConfig",
    "KeywordConfig",
    "LineConfig",
    "LineModelsConfig",
    "ListenConfig",
    "ModelsConfig",
    "MqttConfig",
    "Name",
    "Positive",
    "SourceConfig",
    "StatusPageConfig",
    "absent_files",
    "broker_fault",
    "load_config",
    "mqtt_fault",
    "trunk_of",
]
