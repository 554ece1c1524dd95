{"key":"3c51b1c1844fa0ea","signature":"I0Iso/KrKMKIgmCkVKmgfRCmitlbCjNOYDF7g/RkD5KsY6+4yLlDrCu0GW3gz8ZfCjCsh6zj/ZckJOaVnm24AA=="}
