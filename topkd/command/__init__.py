"""The console command ``topkd``: every tool by name, a new pair's config, and a look at the installation."""
