"""What agents read out says nothing of how a customer feels."""

import pytest

from edge.phrases.lexicon import Lexicon

LEXICON = Lexicon.load()


AGENT = [
    "how can i help you today",
    "how may i assist you",
    "how may i direct your call",
    "is there anything else i can help you with today",
    "is there anything else i can do for you",
    "can i help you with anything else",
    "thank you for your patience",
    "thank you so much for your patience",
    "thank you for holding",
    "thanks for holding",
    "i'm sorry to hear that",
    "i am so sorry to hear that",
    "i'm sorry about that",
    "i do apologize for the inconvenience",
    "i apologize for the inconvenience this has caused you",
    "we apologize for any inconvenience",
    "i sincerely apologize",
    "sorry for the inconvenience",
    "i understand your frustration",
    "i completely understand how you feel",
    "i understand how frustrating this must be",
    "i can certainly help you with that",
    "i'd be happy to help you with that",
    "i would be more than happy to assist you",
    "i'll be glad to help you",
    "let me look into that for you",
    "let me check that for you",
    "let me see what i can do for you",
    "let me pull up your account",
    "please hold while i check",
    "may i put you on hold for a moment",
    "do you mind holding for a minute",
    "please bear with me",
    "bear with me one moment",
    "one moment please",
    "may i have your account number please",
    "can you confirm your postcode for me please",
    "could you please verify your address",
    "this call may be recorded for quality and training purposes",
    "your call is important to us",
    "all our agents are busy at the moment",
    "you are through to billing",
    "you're speaking with john",
    "have a great day",
    "have a wonderful rest of your day",
    "thank you for being a valued customer",
    "thank you for your loyalty",
    "we appreciate your business",
    "we really value your feedback",
    "you're welcome",
    "you are most welcome",
    "no problem happy to help",
    "my pleasure",
    "it was a pleasure speaking with you",
    "i'm going to transfer you to the right department",
    "i will transfer you now",
    "i'll put you through to my supervisor",
    "i've raised a complaint for you",
    "i have gone ahead and processed your refund",
    "your refund will take three to five working days",
    "is that okay with you",
    "does that sound good",
    "great i've updated that for you",
    "perfect thank you for confirming that",
    "excellent thank you for that information",
    "thank you for bringing this to our attention",
    "i appreciate your understanding",
    "rest assured we will resolve this for you",
    "i assure you that we will do our best",
    "i'd like to apologise on behalf of the company",
    "what seems to be the problem today",
    "is there anything else i can help with",
    "how would you like to proceed",
    "would you be willing to take a short survey",
]


@pytest.mark.parametrize("phrase", AGENT)
@pytest.mark.parametrize(
    "words", ["my internet has been down since monday", "that is brilliant thank you so much", "i moved house in june"]
)
def test_agent_script_never_raises_or_lowers_a_customers_score(phrase, words):
    own, script = words.split(), phrase.split()
    alone = LEXICON.act(LEXICON.without_agent(own))
    for said in (script + own, own + script):
        assert LEXICON.act(LEXICON.without_agent(said)).score == pytest.approx(alone.score)
    assert LEXICON.act(LEXICON.without_agent(script)).score == 0.0
