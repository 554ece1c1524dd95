"""What the voice model's features are, in numbers."""

from dataclasses import asdict, dataclass

from edge.values import SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """What the features are. A bundle carries a copy; a bundle made for other features is refused."""

    version: int = 3
    rate: int = SAMPLE_RATE
    # 32 ms resolves the formants of all voices; 20 ms is the packet of the telephone.
    window_samples: int = 512
    hop_samples: int = 320
    # Two planes of as many rows each: levels in mel bands, and how well each pitch explains the harmonics.
    planes: int = 2
    bands: int = 40
    # The pass band of G.711 lines: above and below, a wideband and a telephone copy differ.
    low_hz: float = 300.0
    high_hz: float = 3400.0
    # 64 ms keeps the harmonics of a voice of 75 Hz apart; above 2300 Hz they blur.
    pitch_window_samples: int = 1024
    pitch_low_hz: float = 75.0
    pitch_high_hz: float = 450.0
    harmonics_to_hz: float = 2300.0
    # 3 s: a short answer whole; long utterances are read in windows that overlap by half.
    frames: int = 150
    hop_frames: int = 75
    # Relative to the level of speech in the window, the range that is kept.
    floor_db: float = -40.0
    ceiling_db: float = 20.0

    def as_dict(self) -> dict[str, int | float]:
        """The spec as it stands in a manifest."""
        return asdict(self)


SPEC = FeatureSpec()
