__version__ = "2.18.19"
__author__ = ""
__codename__ = ""
