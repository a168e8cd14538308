"""wxsync keeps a WeCom (企业微信) directory in step with the system where a company's truth lives."""

__version__ = "0.1.0"
