{"key":"a8b601615b9c2b63","signature":"tD2U46HrQOaGjW1p2rb/5f6dxEP2Rbz+rBbQQsD2LReX04u6TpLN+j5VY4hK7NHsoZlpQZ/wPOfKSPvNYviCBw=="}
