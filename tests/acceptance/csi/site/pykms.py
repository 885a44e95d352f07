"""A board's library for displays, which picamera2 imports: there is no display here, and none is used."""


class PixelFormat:
    """Names that picamera2's table of formats asks for at its import."""

    RGB888 = BGR888 = XRGB8888 = XBGR8888 = YUV420 = YVU420 = NV12 = YUYV = 0
