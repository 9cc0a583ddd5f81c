"""The product beside small services of the usual kinds: the same requests, the same engine, in turns."""
