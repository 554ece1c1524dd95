{"key":"2fdc668e6201afc8","signature":"/Eqk3HhjjcsrVaTM6g5Le4Vxz/nOfTjLIbBh9I8RB32iiFAzlIQsRB7o0aAQ6kDxptsXD5AUIm7GyMiWayjYBA=="}
