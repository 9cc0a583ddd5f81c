"""Mail: ending the mails that one does not want, without a sign-in."""
