"""Quick actions: buttons of a dashboard, and running them."""
