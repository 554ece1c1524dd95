{"key":"2fdc668e6201afc8","signature":"BDvEhd8tM0o8oX2oLnnRmHA7dZGUSveyV+lveUqiHKTHaiXoZ5LI1IGs0b6ZvZ7+6uyBdNwPcFtvGacWmCofDg=="}
