"""Where the stand-in's encoders put what they make."""


class Output:
    pass
