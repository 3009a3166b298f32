"""The audit: workflows and scripts of a repository, read without running anything -> what will go wrong, and where."""
