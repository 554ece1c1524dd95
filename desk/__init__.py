"""Undertone's recovery desk: cases from alerts, answers to the box, what calling back changes. Start reading at desk.cli.serve."""
