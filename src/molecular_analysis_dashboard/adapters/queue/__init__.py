"""Celery: delivery of task ids to worker slots."""
