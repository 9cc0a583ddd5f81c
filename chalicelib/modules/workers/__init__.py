"""Workers: the people whose time is lent out."""
