/* Freestanding, so that the compiler needs no header: sorting, floats, a switch, inlining. */
struct node {
	struct node *left, *right;
	long key;
	double weight;
};

static long depth(const struct node *node)
{
	long left, right;

	if (!node)
		return 0;
	left = depth(node->left), right = depth(node->right);
	return 1 + (left > right ? left : right);
}

void sort(double *items, unsigned count)
{
	unsigned i, j;

	for (i = 1; i < count; i++)
		for (j = i; j > 0 && items[j - 1] > items[j]; j--) {
			double item = items[j];

			items[j] = items[j - 1];
			items[j - 1] = item;
		}
}

int classify(int c)
{
	switch (c) {
	case '0' ... '9':
		return 1;
	case 'a' ... 'z':
		return 2;
	case ' ':
		return 3;
	default:
		return 0;
	}
}

double total(const struct node *node)
{
	return node ? node->weight * (double)depth(node) + total(node->left) + total(node->right) : 0.0;
}
