{"key":"3c51b1c1844fa0ea","signature":"P62ICVwH6gmR8Ulmgq+GzHytirB0oE+WhZtF39oyrd3IU522lFo+8ZjdxwoVfzKgHg4FFsaVYismIzXZ6w75CQ=="}
