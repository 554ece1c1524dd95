{"key":"2fdc668e6201afc8","signature":"sG7bUwbDlXbVYdfGOmUAfL125seekUNIPuPCuGi9vtzSVoov077VPM3Uv0cc04gExdMSt7o73G2m8XG9ySjpBA=="}
