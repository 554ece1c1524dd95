{"key":"3c51b1c1844fa0ea","signature":"5f4G6a8BH2g9oAL+7+HdFFWll7uKFioXFEQ7JxvtLOPTfiqM7NoEuNugbcptpAY+KjtAcgWqSgughy5a8ZCsDw=="}
