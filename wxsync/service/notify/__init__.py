"""Telling people what happened: what is worth it, in which words, by which way, and what they answer."""
