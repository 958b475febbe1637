"""Deploying: migrate a database, set the passwords of the application's logins, say what was done.

Importing this package imports neither boto3 nor SQLAlchemy nor Alembic.
"""
