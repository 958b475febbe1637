"""AWS: secrets in Secrets Manager, the Lambda handler, CloudFormation's custom resource.

Importing this package imports no boto3; `pip install 'alembic-pgmigrations[aws]'` brings it. In
Lambda's own runtimes it is there.
"""
