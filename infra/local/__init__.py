"""The product on one machine: store engine, queue and mail, the app behind a local gateway, and what drives them."""
