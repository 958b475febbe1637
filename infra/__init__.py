"""The deployment in AWS, as CDK: `DatabaseMigration` for a stack of your own, and an example."""
