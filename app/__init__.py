"""The template: an application whose database the models in it describe."""
