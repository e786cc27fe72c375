"""OBSERVE: what a training script did, written to a run folder that survives a killed process.

This package needs only the standard library, numpy and the keras that is there: it runs inside the user's process.
"""
