{"key":"3c51b1c1844fa0ea","signature":"TkYxrtwx2ahvVjtpJNV5h6pD0G4iLAUPZ5fCOtst74JuNLsPV+NxZVojVaDtbE5UM+A6wfSGskDGnuWsiVM3Cg=="}
