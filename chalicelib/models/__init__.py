"""Entities: the records that the product stores, their rules and the queries that find them."""
