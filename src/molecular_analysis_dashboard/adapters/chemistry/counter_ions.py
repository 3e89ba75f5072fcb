"""Organic counter-ions and solvents that come with compounds, by name.

After the lists of RDKit (``Salts.txt``) and of the ChEMBL structure pipeline (Bento 2020,
doi:10.1186/s13321-020-00456-1), without what is more often the compound itself. Acids and bases stand here neutral;
stereo is not looked at.
"""

from functools import cache

from rdkit import Chem

_LIST = """
acetic acid CC(=O)O; formic acid OC=O; trifluoroacetic acid OC(=O)C(F)(F)F; dichloroacetic acid OC(=O)C(Cl)Cl
propionic acid CCC(=O)O; butyric acid CCCC(=O)O; isobutyric acid CC(C)C(=O)O; pivalic acid CC(C)(C)C(=O)O
caproic acid CCCCCC(=O)O; caprylic acid CCCCCCCC(=O)O; capric acid CCCCCCCCCC(=O)O
lauric acid CCCCCCCCCCCC(=O)O; palmitic acid CCCCCCCCCCCCCCCC(=O)O; stearic acid CCCCCCCCCCCCCCCCCC(=O)O
oxalic acid OC(=O)C(=O)O; malonic acid OC(=O)CC(=O)O; succinic acid OC(=O)CCC(=O)O; glutaric acid OC(=O)CCCC(=O)O
adipic acid OC(=O)CCCCC(=O)O; maleic or fumaric acid OC(=O)C=CC(=O)O; malic acid OC(CC(=O)O)C(=O)O
tartaric acid OC(C(O)C(=O)O)C(=O)O; citric acid OC(=O)CC(O)(CC(=O)O)C(=O)O; lactic acid CC(O)C(=O)O
glycolic acid OCC(=O)O; mandelic acid OC(C(=O)O)c1ccccc1; gluconic acid OCC(O)C(O)C(O)C(O)C(=O)O
glucuronic acid OC1OC(C(O)C(O)C1O)C(=O)O; lactobionic acid OCC(O)C(OC1OC(CO)C(O)C(O)C1O)C(O)C(O)C(=O)O
mucic acid OC(C(O)C(O)C(=O)O)C(O)C(=O)O; ascorbic acid OCC(O)C1OC(=O)C(=C1O)O
camphoric acid CC1(C)C(CCC1(C)C(=O)O)C(=O)O; 2-oxoglutaric acid OC(=O)CCC(=O)C(=O)O
edetic acid OC(=O)CN(CCN(CC(=O)O)CC(=O)O)CC(=O)O
benzoic acid OC(=O)c1ccccc1; salicylic acid OC(=O)c1ccccc1O; gentisic acid OC(=O)c1cc(O)ccc1O
cinnamic acid OC(=O)C=Cc1ccccc1; nicotinic acid OC(=O)c1cccnc1; hippuric acid OC(=O)CNC(=O)c1ccccc1
4-acetamidobenzoic acid CC(=O)Nc1ccc(cc1)C(=O)O; xinafoic acid OC(=O)c1ccc2ccccc2c1O; furoic acid OC(=O)c1occc1
pamoic acid OC(=O)c1cc2ccccc2c(Cc3c(O)c(cc4ccccc34)C(=O)O)c1O
orotic acid OC(=O)c1cc(=O)[nH]c(=O)[nH]1
terephthalic acid OC(=O)c1ccc(C(=O)O)cc1; pyroglutamic acid OC(=O)C1CCC(=O)N1; phenylacetic acid OC(=O)Cc1ccccc1
carbonic acid OC(=O)O; carbon dioxide O=C=O
methanesulfonic acid CS(=O)(=O)O; ethanesulfonic acid CCS(=O)(=O)O; isethionic acid OCCS(=O)(=O)O
edisylic acid OS(=O)(=O)CCS(=O)(=O)O; triflic acid OS(=O)(=O)C(F)(F)F; camsylic acid CC1(C)C2CCC1(CS(=O)(=O)O)C(=O)C2
benzenesulfonic acid OS(=O)(=O)c1ccccc1; toluenesulfonic acid Cc1ccc(cc1)S(=O)(=O)O
chlorobenzenesulfonic acid OS(=O)(=O)c1ccc(Cl)cc1; napsylic acid OS(=O)(=O)c1ccc2ccccc2c1
1-naphthalenesulfonic acid OS(=O)(=O)c1cccc2ccccc12; napadisylic acid OS(=O)(=O)c1cccc2c(cccc12)S(=O)(=O)O
methyl sulfate COS(=O)(=O)O; ethyl sulfate CCOS(=O)(=O)O; lauryl sulfate CCCCCCCCCCCCOS(=O)(=O)O
cyclamic acid OS(=O)(=O)NC1CCCCC1; saccharin O=C1NS(=O)(=O)c2ccccc12; acesulfame CC1=CC(=O)NS(=O)(=O)O1
picric acid Oc1c(cc(cc1[N+](=O)[O-])[N+](=O)[O-])[N+](=O)[O-]; thiocyanic acid SC#N; isothiocyanic acid N=C=S
tetraphenylborate c1ccc(cc1)[B-](c1ccccc1)(c1ccccc1)c1ccccc1; glycerophosphoric acid OCC(O)COP(=O)(O)O
aspartic acid NC(CC(=O)O)C(=O)O; glutamic acid NC(CCC(=O)O)C(=O)O; arginine NC(CCCNC(=N)N)C(=O)O
lysine NCCCCC(N)C(=O)O; choline C[N+](C)(C)CCO; tetrabutylammonium CCCC[N+](CCCC)(CCCC)CCCC
meglumine CNCC(O)C(O)C(O)C(O)CO; tromethamine NC(CO)(CO)CO; ethanolamine NCCO; diethanolamine OCCNCCO
triethanolamine OCCN(CCO)CCO; deanol CN(C)CCO; 2-(diethylamino)ethanol CCN(CC)CCO; epolamine OCCN1CCCC1
4-(2-hydroxyethyl)morpholine OCCN1CCOCC1; methylamine CN; dimethylamine CNC; trimethylamine CN(C)C
diethylamine CCNCC; triethylamine CCN(CC)CC; diisopropylethylamine CCN(C(C)C)C(C)C; tert-butylamine CC(C)(C)N
cyclohexylamine NC1CCCCC1; dicyclohexylamine C1CCCCC1NC1CCCCC1; ethylenediamine NCCN; piperazine C1CNCCN1
morpholine C1COCCN1; imidazole c1c[nH]cn1; pyridine c1ccncc1; guanidine NC(N)=N
benethamine C(Cc1ccccc1)NCc1ccccc1; benzathine C(CNCc1ccccc1)NCc1ccccc1
methanol CO; ethanol CCO; propanol CCCO; isopropanol CC(C)O; butanol CCCCO; tert-butanol CC(C)(C)O
ethylene glycol OCCO; propylene glycol CC(O)CO; glycerol OCC(O)CO; 2-methoxyethanol COCCO; acetone CC(C)=O
butanone CCC(C)=O; methyl isobutyl ketone CC(C)CC(C)=O; ethyl acetate CCOC(C)=O; methyl acetate COC(C)=O
isopropyl acetate CC(C)OC(C)=O; acetonitrile CC#N; dimethyl sulfoxide CS(C)=O; dimethyl sulfoxide C[S+](C)[O-]
sulfolane O=S1(=O)CCCC1
formamide NC=O; dimethylformamide CN(C)C=O; dimethylacetamide CN(C)C(C)=O; N-methylpyrrolidone CN1CCCC1=O; urea NC(N)=O
tetrahydrofuran C1CCOC1; 2-methyltetrahydrofuran CC1CCCO1; dioxane C1COCCO1; diethyl ether CCOCC
diisopropyl ether CC(C)OC(C)C; tert-butyl methyl ether COC(C)(C)C; 1,2-dimethoxyethane COCCOC
dichloromethane ClCCl; chloroform ClC(Cl)Cl; carbon tetrachloride ClC(Cl)(Cl)Cl; 1,2-dichloroethane ClCCCl
methane C; pentane CCCCC; hexane CCCCCC; heptane CCCCCCC; cyclohexane C1CCCCC1; benzene c1ccccc1; toluene Cc1ccccc1
xylene Cc1ccccc1C; xylene Cc1cccc(C)c1; xylene Cc1ccc(C)cc1; chlorobenzene Clc1ccccc1; anisole COc1ccccc1
"""


def counter_ion_name(neutral: Chem.Mol) -> str | None:
    """Return the name of a neutral fragment that is a known organic counter-ion or solvent."""
    return _names().get(Chem.MolToSmiles(neutral, isomericSmiles=False))


@cache
def _names() -> dict[str, str]:
    entries = [entry.strip().rpartition(" ") for line in _LIST.strip().splitlines() for entry in line.split(";")]
    return {
        str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)): name for name, _, smiles in entries
    }
