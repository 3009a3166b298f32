"""What the frontend calls, what the backend has, and whether the two fit."""
