"""The only place that touches DynamoDB. Takes validated values, returns typed records."""
