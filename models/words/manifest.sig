{"key":"2fdc668e6201afc8","signature":"N6QApg8vPIuY5VsMmCrisIG3P4JJHSRv6CuHfzuN6raoGwFm7TgWJG5eqxlywkFZc12Nrnb/n1h78zdeoxc8Cg=="}
