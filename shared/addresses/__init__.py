"""The addresses of servers, in the forms that people and clouds write: parsed once, strictly, when a program starts."""
