{"key":"2fdc668e6201afc8","signature":"qubvKAcWNIbzljAGwL0LvNihCtUtuTWF2b031rRRLTO8TUnyoix9q0rB7Tv9sUI4qvOcr1w3ggpCQbNIJJ4RBA=="}
