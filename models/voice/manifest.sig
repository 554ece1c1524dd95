{"key":"3c51b1c1844fa0ea","signature":"0zyvcKus6iyU5fq6jWH8HXJtLuKp6PTVdcJ+XuHUyR9gYd+r0/ElqHMWI0GLkPK65DsPPbHTyKfiUGWq3/6nCw=="}
