"""The addresses of servers, in the forms that people and clouds write: read once, strictly, when a program starts."""
