{"key":"3c51b1c1844fa0ea","signature":"7eqmmulK3a9KrGFP6iCRtIrh6LVNJ10u25YPCx+C0d24x0vzk3d5T/MIT7KK0dZFHP/JHajWGwcvTZe3mHNJAQ=="}
