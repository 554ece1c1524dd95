"""Calls drawn by lot, for figures that no hand has picked: dialogues, and what a line plays while nobody speaks."""

from typing import Any

import numpy as np

_LINES = {
    "agent": (
        "Good morning, thank you for calling the service desk.",
        "Let me look at your account for a moment, please.",
        "I can see the order here, and it was sent to you yesterday in the afternoon.",
        "We can send an engineer to your house on Tuesday or on Thursday of next week.",
        "Could you please tell me the number at the top of your last bill?",
        "I will write to my colleague about it, and she will call you back tomorrow.",
    ),
    "customer": (
        "Hello, I have a question about the bill that came this morning.",
        "I have been waiting for my new card for more than two weeks now.",
        "The engineer was here on Monday, but the heating is cold again.",
        "Could you tell me when the office in the town centre is open?",
        "Yes, that would be fine for me, thank you very much.",
        "I would like to change the day of the delivery to the end of the week.",
    ),
}
_RECORDED = (
    "Thank you for holding. Your call is important to us.",
    "All our agents are busy. Please hold the line, and we will be with you soon.",
    "You are number four in the queue.",
)
_REFUSED = (
    "The number you have dialled is not in service. Please check the number, and dial again.",
    "We are sorry, your call cannot be completed as dialled.",
)
_MUSIC = ("strings", "piano", "flute", "band")
_TONES = {
    "us": ("us.dial", "us.ringback", "us.busy", "us.reorder", "us.call_waiting", "us.howler"),
    "uk": ("uk.dial", "uk.ringback", "uk.busy", "uk.reorder", "uk.unobtainable", "uk.call_waiting"),
    "eu": ("eu.dial", "eu.ringback", "eu.busy", "eu.reorder", "eu.call_waiting"),
}


def dialogue(seed: int) -> dict[str, Any]:
    """A script of twelve turns: one gap in six is dead air, one turn in five breaks in, one in ten overlaps at its seam."""
    rng = np.random.default_rng(seed)
    script: list[dict[str, Any]] = []
    broke_in = True
    for number in range(12):
        who = ("agent", "customer")[number % 2]
        turn: dict[str, Any] = {
            who: str(rng.choice(_LINES[who])),
            "dbfs": float(rng.uniform(-24, -16)),
            "pace": float(rng.choice([0.95, 1.0, 1.1])),
        }
        lot = rng.random()
        if lot < 0.2 and not broke_in:
            turn |= {"after": -float(rng.uniform(1.0, 1.8)), "interrupts": True}
        elif lot < 0.3 and not broke_in:
            turn |= {"after": -float(rng.uniform(0.05, 0.18))}
        elif lot < 0.47:
            turn |= {"after": float(rng.uniform(5.6, 12.0))}
        else:
            turn |= {"after": float(rng.uniform(0.2, 1.6))}
        # Two in a row would leave too little of the turn between them to be a turn.
        broke_in = "interrupts" in turn
        script.append(turn)
    return {
        "name": f"drawn_{seed}",
        "seed": seed,
        "noise_dbfs": float(rng.uniform(-60, -44)),
        "sidetone_db": float(rng.uniform(-32, -15)),
        "script": script,
        "expect": {},
    }


def waiting(seed: int, seconds: float, plan: str = "us") -> dict[str, Any]:
    """A script of a single customer channel on which nobody speaks for about `seconds`: music, tones and announcements."""
    rng = np.random.default_rng(seed)
    script: list[dict[str, Any]] = []
    reached = 0.0
    while reached < seconds:
        gap = float(rng.uniform(0.3, 1.5))
        lot = rng.random()
        if lot < 0.35:
            style = f"music.{rng.choice(_MUSIC)}"
            script.append({"play": style, "for_s": float(rng.uniform(10, 30)), "after": gap, "dbfs": float(rng.uniform(-26, -14))})
            reached += 20
        elif lot < 0.65:
            style = f"music.{rng.choice(_MUSIC)}"
            said = {"announce": str(rng.choice(_RECORDED)), "after": float(rng.uniform(0.2, 0.6))}
            script += [
                {"play": style, "for_s": 12.0, "after": gap},
                said,
                {"play": style, "for_s": 12.0, "after": float(rng.uniform(0.2, 0.6))},
            ]
            reached += 30
        elif lot < 0.75:
            script += [{"play": "sit", "for_s": 1.2, "after": gap}, {"announce": str(rng.choice(_REFUSED)), "after": 0.3}]
            reached += 8
        elif lot < 0.85:
            keys = "".join(rng.choice(list("0123456789*#"), 8))
            script.append({"play": f"dtmf:{keys}", "for_s": 1.5, "after": gap})
            reached += 3
        else:
            script.append({"play": str(rng.choice([*_TONES[plan], "fax"])), "for_s": float(rng.uniform(5, 16)), "after": gap})
            reached += 11
    return {
        "name": f"waiting_{plan}_{seed}",
        "roles": ["customer"],
        "tones": plan,
        "seed": seed,
        "noise_dbfs": float(rng.uniform(-62, -48)),
        "script": script,
        "expect": {"calls": [], "utterances": {"customer": 0}},
    }
