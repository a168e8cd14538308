"""What wxsync remembers: which records are ours, what they hold, and every run, step by step."""
