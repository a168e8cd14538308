"""Decides what has to change, and does it: the only room through which anything is written to WeCom."""
