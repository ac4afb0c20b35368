"""HTTPS on a private network: an authority of one's own, and a page that leads a phone to trust it.

Browsers give an app its offline store and its push messages over HTTPS alone, and no public
authority signs for a private address.
"""
