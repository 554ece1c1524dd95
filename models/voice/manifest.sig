{"key":"3c51b1c1844fa0ea","signature":"QwdVFqsNesx8yFYEg1UTxmAodU2dsIpXulcE9rTMmHPjgIAPL+QxlcwaD/vmdhT1IXSDGokFXmsA3xTUJy+qAg=="}
