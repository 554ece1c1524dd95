{"key":"2fdc668e6201afc8","signature":"uEGTTXNdzferQ1a3Gqv05jFEV/Ioil7x4u8grwkpYRXO1cYWvTyDPcRJ7pCzcbDyronTAFTFGew2r22hTHAGCA=="}
