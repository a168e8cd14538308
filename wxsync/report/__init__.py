"""Plans and runs as text, JSON and HTML, in Chinese and English, with personal values masked."""
