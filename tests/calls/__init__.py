"""Scripted calls: YAML in, a telephone recording and the truth about it out; and what the segmenter makes of them."""
