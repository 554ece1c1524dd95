"""Number words as English speakers say them and recognisers write them: the one list, from which phrases, tokens and redaction take."""

_ZERO = ("zero", "oh")
# Zeros that only numbers read aloud hold: elsewhere they are something else ("nil", "naught").
_SPELT_ZERO = ("o", "nought", "naught", "nil")
# From one to nineteen, in order, and the tens from twenty.
ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MISSPELT_TENS = ("fourty",)
# Digits of the number that the word stands for.
SCALES = {"hundred": 3, "thousand": 4, "million": 7}
# What counts things in a sentence.
COUNTING = frozenset((*_ZERO, *ONES, *TEENS, *TENS, *SCALES))
# What is said of a number digit by digit.
SINGLES = frozenset((*_ZERO, *_SPELT_ZERO, *ONES))
SPOKEN_TENS = frozenset((*TENS, *_MISSPELT_TENS))
# Whatever may be part of a number that is read aloud.
NUMBER_WORDS = SINGLES | COUNTING | SPOKEN_TENS
