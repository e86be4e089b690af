"""Training and evaluation of classifiers: of the shipped one, and of the user's own folders.

dataset.py          folders of images to arrays, with the preprocessing of serving
network.py          the small convolutional network
augment.py          random flips, crops and colours
scenes/             leaves on other grounds, grounds alone, tiles of larger photographs
fit.py              the training loop
review.py           the limits of the review, from held-out images
write.py            a classifier folder
train.py            all of it in order
evaluate.py         accuracy and a table per class
import_joblib.py    the original service's pickle to a classifier folder; joblib_child.py opens it
"""
