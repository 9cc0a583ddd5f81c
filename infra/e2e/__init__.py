"""The end-to-end test: the package, deployed to an emulator of AWS and used over its API Gateway."""
