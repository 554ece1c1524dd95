{"key":"c0c6abed4700bf4f","signature":"7/KtiC84seFfoAR+efWGGwZ1053M1jU2DSImcfY/RI7Mf3+bokkxcnsFSGj+OvzL3Bsmp/+dIjPkeauPlKVVDQ=="}
