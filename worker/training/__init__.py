"""How the shipped classifier was made and measured; runs on the user's own folders too.

dataset.py          folders of images to arrays, with the preprocessing of serving
network.py          the small convolutional network
augment.py          random flips, crops and colours
fit.py              the training loop
threshold.py        the review threshold, from images that were held out
write.py            a classifier folder
train.py            all of it in order
evaluate.py         accuracy and a table per class
import_joblib.py    the original service's pickle to a classifier folder; joblib_child.py opens it
"""
