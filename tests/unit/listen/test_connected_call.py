"""A call over the network as a source: how it ends."""

from types import SimpleNamespace

import numpy as np

from edge.listen.call import ConnectedCall
from edge.listen.messages import End, Hello, Sound
from edge.listen.tally import Tally
from edge.values import ClosedBy, Role


def test_a_call_that_hangs_up_in_its_first_read_has_hung_up_and_is_let_go_of_once():
    closed = SimpleNamespace(
        session=SimpleNamespace(unsaid=ClosedBy.CONNECTION_LOST), peer="192.0.2.1", read=lambda: None, say_goodbye=lambda _: None
    )
    gone = []
    call = ConnectedCall(roles=(Role.CUSTOMER,), idle_s=30.0, stall_s=3.0, tally=Tally("pbx"), linger=gone.append)
    sound = Sound(pcm=np.ones((1600, 1), np.int16), rate=8000, channels=(0,))
    call.join(closed, [Hello(), sound, End(by=ClosedBy.HANG_UP)])
    assert sum(len(block.pcm) for block in call.blocks()) == 1600
    assert (call.closed_by, gone) == (ClosedBy.HANG_UP, [closed])
